"""What more devices cost and gain: the owner's work, idle devices, efficiency, start-up."""
