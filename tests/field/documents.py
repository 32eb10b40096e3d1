"""Six short texts about gardening, and the questions that they answer."""

from __future__ import annotations

DOCUMENTS = {
    "tomatoes.txt": (
        "Tomato seedlings move outdoors after the last frost, when nights stay above twelve degrees. "
        "Each plant wants a stake of two metres and a hand of compost in its hole. "
        "Side shoots are pinched out every week until the sixth truss has set."
    ),
    "compost.txt": (
        "A compost heap needs three parts of dry leaves to one part of kitchen waste. "
        "It is turned every fortnight, and it is ready when it smells of forest soil. "
        "Citrus peel and cooked food stay out of it."
    ),
    "pruning.txt": (
        "Apple trees are pruned in late February on a dry day above freezing. "
        "Cuts are made just above a bud that looks outward. "
        "Large wounds are left open, for sealing paste traps water."
    ),
    "watering.txt": (
        "Beds are watered at dawn, twenty litres for each square metre, twice in a dry week. "
        "Rain barrels hold six hundred litres and are covered against mosquitoes. "
        "Leaves of cucumbers must remain dry."
    ),
    "slugs.txt": (
        "Slugs are collected at dusk beneath wooden boards. "
        "A copper band of five centimetres keeps them away from raised beds. "
        "Nematodes are spread in May, once the ground has reached eight degrees."
    ),
    "tulips.txt": (
        "Tulip bulbs are planted in October, fifteen centimetres deep, with the tip upward. "
        "Faded flowers are removed, while the foliage is left to yellow by itself. "
        "Bulbs are lifted after five years, because clumps flower poorly."
    ),
}

CANARIES = (
    ("When do tomato seedlings move outdoors?", "last frost", "tomatoes.txt"),
    ("How often is a compost heap turned?", "every fortnight", "compost.txt"),
    ("In which month are apple trees pruned?", "late February", "pruning.txt"),
    ("How many litres do rain barrels hold?", "six hundred litres", "watering.txt"),
    ("How wide is the copper band against slugs on raised beds?", "five centimetres", "slugs.txt"),
    ("How deep are tulip bulbs planted?", "fifteen centimetres", "tulips.txt"),
)
"""A question, a phrase of its answer, and the document that answers it."""
