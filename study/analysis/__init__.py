"""What the records say, as numbers: winner, importance, edges, audit, ranking, intervals."""
