"""This machine's packet filters: what their rules say, and what becomes of a packet that meets them."""
