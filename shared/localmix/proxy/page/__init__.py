"""The page as it is sent: plain HTML, CSS and JavaScript, and nothing from elsewhere."""
