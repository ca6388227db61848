"""Five agencies release alone: what each has released, what a change breaks for whom, and old beside new on real parts."""
