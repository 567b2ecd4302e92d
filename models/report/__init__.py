"""What reports are made of: plots as inline SVG, tables, and the page that holds them."""
