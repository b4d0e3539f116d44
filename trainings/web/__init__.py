"""The application factory, headers, navigation, error pages: what holds the rooms together."""
