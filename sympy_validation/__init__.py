"""Proofs that the hand-written backward equations are exact gradients, by running the code that trains on symbols."""
