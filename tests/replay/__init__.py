"""What recorded servers said, played again."""
