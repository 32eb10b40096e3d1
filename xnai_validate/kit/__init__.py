"""All that the author of a checker or of a fault imports: base classes, decorators, contexts and the clock."""

from xnai_validate.kit import disturbing, measuring, process
from xnai_validate.kit.disturbing import *  # noqa: F403
from xnai_validate.kit.disturbing import FAULT_MARK as FAULT_MARK
from xnai_validate.kit.measuring import *  # noqa: F403
from xnai_validate.kit.measuring import MARK as MARK
from xnai_validate.kit.measuring import WRITTEN as WRITTEN
from xnai_validate.kit.process import *  # noqa: F403

__all__ = ["FAULT_MARK", "MARK", "WRITTEN"]
__all__ += measuring.__all__
__all__ += disturbing.__all__
__all__ += process.__all__
