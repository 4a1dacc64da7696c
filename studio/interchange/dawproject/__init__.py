"""DAWproject 1.0, the exchange format of Bitwig, Studio One and Cubase (https://github.com/bitwig/dawproject)."""
