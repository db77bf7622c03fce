"""The layers, one family a file.

Adding one: its file, and its line below.
"""

from nerva_core.layers.activation import ActivationLayer
from nerva_core.layers.attention import Attention, AttentionDropout, CrossAttention
from nerva_core.layers.augmentation import RandomCrop, RandomFlip
from nerva_core.layers.base import LAYERS, Layer
from nerva_core.layers.batch_normalization import BatchNormalization
from nerva_core.layers.branches import Add, Concatenate, Multiply
from nerva_core.layers.convolution import Convolution, DepthwiseConvolution
from nerva_core.layers.dab import DAB, StraightThrough
from nerva_core.layers.dropout import ActivationDropout, ChannelDropout, Dropout, LinearDropout
from nerva_core.layers.embedding import Embedding, PositionEmbedding
from nerva_core.layers.gated import GLU, GeGLU, SwiGLU
from nerva_core.layers.group_normalization import GroupNorm, InstanceNorm
from nerva_core.layers.grouped_query import GroupedQueryAttention
from nerva_core.layers.linear import Linear
from nerva_core.layers.normalization import LayerNorm, RMSNorm
from nerva_core.layers.notation import multilayer_perceptron, parse_layers
from nerva_core.layers.padding import Padded
from nerva_core.layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from nerva_core.layers.position_encodings import RotaryPositions, SinusoidalPositions
from nerva_core.layers.positions import Flatten, Images, Sequences
from nerva_core.layers.q_activation import QActivation
from nerva_core.layers.recompute import Recompute
from nerva_core.layers.recurrent import GRU, LSTM, RNN, Last
from nerva_core.layers.repeat import Repeat
from nerva_core.layers.residual import Residual
from nerva_core.layers.sequential import Composite, Sequential
from nerva_core.layers.softmax import LogSoftmax, Softmax
from nerva_core.layers.sparse import SparseLinear
from nerva_core.layers.squeeze_excitation import SqueezeExcitation
from nerva_core.layers.tied import Tied
from nerva_core.layers.tmaf import DiagonalTMAF, FullTMAF, PDiagonalTMAF, SparseTMAF, TridiagonalTMAF
from nerva_core.layers.trained_activations import PReLU, RescaledActivation, SReLU
from nerva_core.layers.transformer import MultiHeadAttention, MultiHeadCrossAttention, TransformerBlock
from nerva_core.layers.upsampling import TransposedConvolution, Upsample
from nerva_core.layers.weight_normalization import WeightNorm
