"""Pictures: of one image, and of all images together."""
