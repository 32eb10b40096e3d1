"""Checks of answers from documents: are they grounded, are they the same on every way, what is taken and refused.

Where the canary questions come from: `canaries`, a var, is a list of `{question, expect, source, document}`. A question
is one that your documents answer; `expect` is a phrase that the answer must contain, `source` the name under which the
document is cited, `document` its text, or the passage of it that answers; where one is empty, checks that need it are
skipped, and all are empty until you give two or more of your own: under `vars` in the stack file, or in a file that is
found before the bundled one, in the current directory, beside your profile or below `--path`:

    # checks/rag/canaries.yaml
    vars:
      canaries:
        - question: "How long may goods be returned?"
          expect: "30 days"
          source: returns.md
          document: "Goods may be returned within 30 days of delivery, unopened or not ..."
        - {question: "Who signs invoices?", expect: "the treasurer", source: money.md, document: "Invoices are ..."}

Or name a file of another name in a profile (`vars_files: [ours/questions]` is `checks/ours/questions.yaml`), or set one
value alone: `--var canaries.0.question="..."`.
"""
