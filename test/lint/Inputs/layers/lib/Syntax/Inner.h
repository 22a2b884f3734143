// Private to Syntax.
