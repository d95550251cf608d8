"""Forecasts of usage: hourly and daily series, one or thousands. Pure: no I/O, no clock. See DECISIONS.md."""

from tools.ml.forecasting.api import forecast, forecast_panel, study_panel
from tools.ml.forecasting.result import Backtest, Choice, PanelForecast, Total

__all__ = ["Backtest", "Choice", "PanelForecast", "Total", "forecast", "forecast_panel", "study_panel"]
