"""What developers run: code generation and its drift check."""
