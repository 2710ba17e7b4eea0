"""Pure rules of statements: reading files, recognising lines, proposing matches. No database, no clock."""
