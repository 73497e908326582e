"""How a study is shown: terminal, Markdown, HTML, figures and dashboard."""
