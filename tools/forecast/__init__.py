"""`run_forecast`: what is to come, with an interval, the model, its backtest, and what cannot be forecast."""
