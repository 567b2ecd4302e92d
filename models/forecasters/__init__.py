"""The forecasters: drift, Dejavu, LSTM, and the ensemble of them."""
