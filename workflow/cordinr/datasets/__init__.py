"""Raw datasets under git, git-annex and DataLad: cloned, indexed, fetched, recorded."""
