"""HTML pages, one file each: of a subject, and of all of them."""
