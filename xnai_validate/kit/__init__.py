"""Everything that the author of a checker or of a fault imports; the only other package for them is `wire`."""

from annotated_types import Ge, Gt, Le, Len, Lt, MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from xnai_validate.errors import FaultLimitReached, Gone, NotApplicable, ToolLate, Unmeasurable, XnaiError
from xnai_validate.kit.checker import MARK, Checker, Preload, checker
from xnai_validate.kit.context import Clock, Context
from xnai_validate.kit.control_groups import CGROUPS, ControlGroup, control_groups
from xnai_validate.kit.fault import FAULT_MARK, ActiveFault, Fault, FaultContext, Undo, fault
from xnai_validate.kit.observation import FaultEntry, Observation, Observed, Template
from xnai_validate.kit.params import (
    FROM_FILE,
    Argument,
    BodyCap,
    Bytes,
    Count,
    Duration,
    Facts,
    Headers,
    Mebibytes,
    Milliseconds,
    NamesFile,
    NamesTarget,
    Params,
    Percent,
    Ratio,
    Seconds,
    Size,
    SocketPath,
    TargetName,
)
from xnai_validate.kit.process_id import ProcessId, child_environment, process_id
from xnai_validate.kit.steady import STEADY_WITHIN_S, pause_s, wait_until_steady
from xnai_validate.kit.uninterrupted import uninterrupted
from xnai_validate.kit.waits import Inner, Waits, at_once, in_turn
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import Json, JsonObject, bounded
from xnai_validate.model.judging.expressions import is_singular, json_path, search, values_at, verified_regex
from xnai_validate.model.judging.fact_types import IgnoreCase, Needs, Timed, Whole
from xnai_validate.model.judging.findings import Finding, cut, json_equal
from xnai_validate.model.judging.instants import http_date_s
from xnai_validate.model.judging.references import NAME, fill, references
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.model.secrets.names import looks_secret
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.target import Target, Tls

__all__ = [
    "CGROUPS",
    "FAULT_MARK",
    "FROM_FILE",
    "MARK",
    "NAME",
    "STEADY_WITHIN_S",
    "ActiveFault",
    "AfterValidator",
    "Argument",
    "BeforeValidator",
    "BodyCap",
    "Bytes",
    "Checker",
    "Clock",
    "Context",
    "ControlGroup",
    "Count",
    "Duration",
    "ErrorKind",
    "Facts",
    "Fault",
    "FaultContext",
    "FaultEntry",
    "FaultLimitReached",
    "Field",
    "Finding",
    "FrozenModel",
    "Ge",
    "Gone",
    "Gt",
    "Headers",
    "Histogram",
    "IgnoreCase",
    "Inner",
    "Json",
    "JsonObject",
    "JsonValue",
    "Le",
    "Len",
    "Lt",
    "Masker",
    "Mebibytes",
    "Milliseconds",
    "MinLen",
    "NamesFile",
    "NamesTarget",
    "Needs",
    "NotApplicable",
    "Observation",
    "Observed",
    "Params",
    "Percent",
    "Preload",
    "ProcessId",
    "Ratio",
    "Seconds",
    "Size",
    "SocketPath",
    "StringConstraints",
    "Target",
    "TargetName",
    "Template",
    "Timed",
    "Tls",
    "ToolLate",
    "Undo",
    "Unmeasurable",
    "ValidationInfo",
    "Waits",
    "Whole",
    "WithJsonSchema",
    "XnaiError",
    "at_once",
    "bounded",
    "checker",
    "child_environment",
    "control_groups",
    "cut",
    "did_you_mean",
    "fault",
    "field_validator",
    "fill",
    "http_date_s",
    "in_turn",
    "is_singular",
    "json_equal",
    "json_path",
    "looks_secret",
    "model_validator",
    "pause_s",
    "process_id",
    "references",
    "search",
    "uninterrupted",
    "values_at",
    "verified_regex",
    "wait_until_steady",
]
