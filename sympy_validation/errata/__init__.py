"""Formulas as the papers print them, refuted, each beside its corrected form: one file a paper."""
