"""The page that plays stems, and the JavaScript it shares with the notebook."""
