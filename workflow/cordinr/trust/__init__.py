"""How far a reconstruction can be trusted where there is no reference.

- `assess`, `stack_assessment`: all that can be said of a reconstruction, and of each of its scans.
- `prediction`, `residuals`: what the scans should have measured, and what of them is not explained.
- `agreement`, `detail`: what the scans say of each other, and what their thick slices hide.
- `hold_out`: slices that a reconstruction never saw, predicted.
- `slice_numbers`, `slice_words`, `slice_table`: how slices compare, in numbers and in one word.
- `expected_error`, `verdict`: one number, one word and its reasons.
"""
