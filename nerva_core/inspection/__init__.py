"""Inspection of a network while or after it trains: one step in full, where its time goes, the loss around its weights."""
