"""All that the author of a checker or of a fault imports: base classes, decorators, contexts and the clock."""

from xnai_validate.kit import checker as measuring
from xnai_validate.kit import fault as disturbing
from xnai_validate.kit import process_id as process
from xnai_validate.kit.checker import *  # noqa: F403
from xnai_validate.kit.checker import MARK as MARK
from xnai_validate.kit.checker import WRITTEN as WRITTEN
from xnai_validate.kit.fault import *  # noqa: F403
from xnai_validate.kit.fault import FAULT_MARK as FAULT_MARK
from xnai_validate.kit.process_id import *  # noqa: F403

__all__ = ["FAULT_MARK", "MARK", "WRITTEN"]
__all__ += measuring.__all__
__all__ += disturbing.__all__
__all__ += process.__all__
