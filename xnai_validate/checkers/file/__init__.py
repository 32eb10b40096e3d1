"""Files on this host: backups, state files, certificates, lock files."""
