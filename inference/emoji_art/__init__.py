"""Trains Moonsketch's own small model on openly licensed emoji art.

Pictures of some three hundred things, each drawn by three sets of artists, are fetched as pinned packages (`art`), put
into scenes with true captions (`scenes`) and drawn again the way a hurried person would (`doodles`). Nothing that runs
while people draw imports this package: it makes the weights that are shipped, and the figures published beside them.
"""
