"""Where weight decay is usually searched; needs no torch, as the flags are checked before that is loaded."""

USUAL = {
    "SGD": (1e-5, 1e-2),
    "AdamW": (1e-3, 1.0),
    "Muon": (1e-3, 1.0),
    "MuonWithAdamW": (1e-3, 1.0),
    "Lion": (1e-2, 10.0),
}
"""(lowest, highest) by the class of the optimizer: where weight decay is searched, log scale.

SGD adds it to the gradient: around timm's 2e-5, 1e-4 for ResNets (He et al. 2016) and 5e-4 for wide ones (Zagoruyko and
Komodakis 2016). AdamW, in which the rate scales it: AlgoPerf's baselines search 5e-3 to 1 (Dahl et al. 2023); torch's
default is 0.01, usual for language models 0.1 (Brown et al. 2020). Muon with updates as large as AdamW's: the same; Liu
et al. (2025) and torch have 0.1. Lion: ten times AdamW's, as its rates are 3 to 10 times as small (Chen et al. 2023).
"""
