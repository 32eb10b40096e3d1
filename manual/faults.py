"""The page of the faults."""

from __future__ import annotations

from manual.fields import description, fields, objects
from manual.kinds import anchor
from manual.markdown import escape, prose, table
from xnai_validate import registry
from xnai_validate.kit import Fault
from xnai_validate.model.field_descriptions import DescribedSchema
from xnai_validate.model.units import format_ms


def page() -> str:
    """Return the text of the page."""
    faults = [registry.FAULTS.get(name) for name in registry.FAULTS.names()]
    rows = [(f"[`{fault.name}`](#{anchor(fault.name)})", escape(fault.title)) for fault in faults]
    intro = "What `under:` of a check can inject; see [faults and consent](../faults.md).\n"
    return f"# Faults\n\n{intro}\n{table(('fault', 'effect'), rows)}\n" + "\n".join(map(_fault, faults))


def _fault(fault: Fault) -> str:
    schema = fault.params.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    traits = [
        "needs a target" if fault.needs_target else "needs no target",
        f"in force for at most {format_ms(fault.limit_s * 1000)}",
        f"reverted within {format_ms(fault.grace_s * 1000)}",
        f"needs the extra `{fault.extra}`" if fault.extra else "",
    ]
    parts = [f"## {fault.name}\n", prose(fault.doc), f"*{', '.join(filter(None, traits))}*\n"]
    parts += ["**Parameters** (`with:`)\n", fields(schema)]
    for name, part in objects(schema):
        parts += [f"**{name}**: {description(part)}\n", fields(part)]
    return "\n".join(parts)
