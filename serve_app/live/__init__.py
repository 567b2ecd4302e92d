"""What happens live: scores in, forecasts out, watchers told."""
