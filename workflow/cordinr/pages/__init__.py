"""HTML pages, one file each: of a subject, and of all of them.

- `subject`, `index`: what the two kinds of pages show; `acquired`, `acquired_index`: the same where
  there is no reference.
- `volumes`, `scene`, `loss_chart`, `ranking`, `stack_table`: parts of the page of a subject.
- `html`: how a page becomes one file, from the `templates`.
"""
