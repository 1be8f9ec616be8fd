"""How good the knowledge is: stories scored against their labels, beside what is published about others."""
