"""The method: an implicit neural representation fitted to thick-slice views."""
