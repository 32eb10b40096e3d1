"""`python -m xnai_validate` is the command `xnai-validate`."""

from xnai_validate.cli import main

main()
