"""Due work of dialog, one table per aggregate; main merges them."""
