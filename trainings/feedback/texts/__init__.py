"""Free texts, looked through by the office before anybody reads them."""
