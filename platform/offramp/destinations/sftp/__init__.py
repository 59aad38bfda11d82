"""SFTP over paramiko's transport: host keys, logins, sessions and uploads. FTP is in ftp, with and without TLS."""
