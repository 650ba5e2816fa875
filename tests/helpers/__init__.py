"""What several tests share: data, whole runs, servers."""
