"""What may be shown of the answers, as pages, PDF and XLSX."""
