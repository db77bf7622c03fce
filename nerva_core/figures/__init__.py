"""Figures, pages and terminal tables; they show what others computed."""
