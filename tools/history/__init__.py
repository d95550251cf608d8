"""Usage as series: hourly or daily, by name, over what is sure to be loaded."""
