"""Data sets: built in, generated, or read from files. Nothing is ever unpickled."""

from nerva_core.data.dataset import Dataset, one_hot
from nerva_core.data.files import CIFAR10, CIFAR100, CSV, IDX, NPZ, FashionMNIST
from nerva_core.data.images import ImageFolder
from nerva_core.data.memory import InMemory
from nerva_core.data.sources import SOURCES, DataSource, Digits
from nerva_core.data.synthetic import Checkerboard, SineOfSum, Spirals
from nerva_core.data.table_file import TableFile
from nerva_core.data.text import Text

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "CSV",
    "IDX",
    "NPZ",
    "SOURCES",
    "Checkerboard",
    "DataSource",
    "Dataset",
    "Digits",
    "FashionMNIST",
    "ImageFolder",
    "InMemory",
    "SineOfSum",
    "Spirals",
    "TableFile",
    "Text",
    "one_hot",
]
