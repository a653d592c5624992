/**
 * What the names in a pickle stand for, as data: which only make data, which
 * run code or reach beyond the pickle, and who says so.
 *
 * A name that is in no list is unknown, and unknown is never called safe.
 *
 * @module
 */

import { toPython3Name } from "./python2_names.ts";

/** How a name is judged. */
export type NameVerdict = "safe" | "unknown" | "dangerous";

/**
 * When a name that can do harm does none, checked wherever it is called:
 *
 * - `text-codec`: `encode(text, encoding)` with an encoding of text.
 * - `attribute`: `getattr(a class, a name)`; the two are judged together.
 * - `new-partial`: `partial(Class.__new__, Class, …)`, which is how protocols
 *   2 and 3 call `__new__` with keyword arguments.
 * - `one-argument`: `type(x)`, `iter(x)`.
 * - `subscript`: `getitem(a class, …)`, such as `List[int]`.
 * - `nested`: `f(bytes)` where the bytes are a pickle, scanned in its turn.
 * - `reference`: as long as it is not called.
 * - `subclass`: only as the class that joblib or numpy says an array had.
 */
export type Rule =
  | "text-codec"
  | "attribute"
  | "new-partial"
  | "one-argument"
  | "subscript"
  | "nested"
  | "subclass"
  | "reference";

/** What the lists say of a name. */
export interface NameEntry {
  /** The judgement; where there is a rule, for all that does not fit it. */
  readonly verdict: NameVerdict;
  /** When the name is safe all the same. */
  readonly rule?: Rule;
  /** Why, in few words. */
  readonly reason: string;
  /** Where that can be read. */
  readonly source: string;
}

interface Group {
  readonly verdict: NameVerdict;
  readonly rule?: Rule;
  readonly reason: string;
  readonly source: string;
  /** Each line a module, then names in it. */
  readonly names: string;
}

/** Module and name, exactly. */
const NAMES: readonly Group[] = [
  {
    verdict: "safe",
    reason: "a type or function of plain data",
    source: "Python documentation, Built-in Functions and Built-in Types",
    names: `
builtins bool bytearray bytes complex dict float frozenset int list object range set slice str tuple
builtins enumerate reversed zip
builtins Ellipsis NotImplemented None True False property classmethod staticmethod memoryview`,
  },
  {
    verdict: "unknown",
    rule: "reference",
    reason:
      "it gives back what it is given, runs for long, or reads text as code",
    source: "Python documentation, Built-in Functions; math; os.path",
    names: `
builtins abs all any ascii bin chr divmod hash hex len max min oct ord pow repr round sorted sum callable format isinstance issubclass next print
math sqrt sin cos tan exp log log10 log2 floor ceil fabs pow
os.path join split splitext basename dirname normpath abspath exists
posixpath join split splitext basename dirname normpath abspath exists
ntpath join split splitext basename dirname normpath abspath exists
operator add sub mul truediv floordiv mod neg lt le eq ne ge gt and_ or_ xor not_
_operator add sub mul truediv floordiv mod neg lt le eq ne ge gt and_ or_ xor not_
numpy add subtract multiply divide exp log sqrt mean median sum min max abs maximum minimum
numpy.core.umath add subtract multiply
typing TypeVar NamedTuple NewType
numpy matrix
numpy.matrixlib.defmatrix matrix
sklearn.feature_selection._univariate_selection f_classif f_regression chi2
platform uname_result`,
  },
  {
    verdict: "safe",
    reason: "a built-in exception",
    source: "Python documentation, Built-in Exceptions",
    names: `
builtins ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StandardError StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError`,
  },
  {
    verdict: "safe",
    reason: "a data type of the standard library",
    source:
      "Python documentation, Data Types; Numeric and Mathematical Modules",
    names: `
datetime date datetime time timedelta timezone tzinfo UTC
zoneinfo ZoneInfo ZoneInfo._unpickle
_zoneinfo ZoneInfo ZoneInfo._unpickle
collections OrderedDict Counter ChainMap UserDict UserList UserString defaultdict deque
array array _array_reconstructor
decimal Decimal Context DivisionByZero Overflow InvalidOperation Inexact Rounded Subnormal Underflow Clamped FloatOperation
_decimal Decimal
fractions Fraction
uuid UUID SafeUUID
ipaddress IPv4Address IPv6Address IPv4Network IPv6Network IPv4Interface IPv6Interface
pathlib PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath
pathlib._local PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath
types SimpleNamespace GenericAlias NoneType EllipsisType NotImplementedType UnionType
random Random
_random Random
io BytesIO StringIO
_io BytesIO StringIO
re _compile
_sre template
string Template
itertools chain count cycle repeat islice zip_longest product permutations combinations combinations_with_replacement accumulate compress pairwise
typing Any Union Optional List Dict Set FrozenSet Tuple Type Callable Literal Sequence Mapping MutableMapping Iterable Iterator NoReturn ClassVar Final Text AnyStr Generic
http HTTPStatus
calendar Calendar TextCalendar
signal Signals Handlers Sigmasks SIGINT SIGTERM SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGPIPE SIGQUIT SIGABRT SIGSEGV SIG_DFL SIG_IGN
socket AddressFamily SocketKind AddressInfo MsgFlag AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOCK_DGRAM
urllib.parse ParseResult SplitResult DefragResult ParseResultBytes SplitResultBytes
os stat_result statvfs_result terminal_size times_result uname_result sched_param _make_stat_result _make_statvfs_result
posix stat_result statvfs_result times_result uname_result sched_param
nt stat_result
subprocess CompletedProcess CalledProcessError TimeoutExpired
xml.dom.minidom Element Document Text Attr Comment
statistics NormalDist
time struct_time
email.message Message EmailMessage
email.charset Charset
email._policybase Compat32
email.policy EmailPolicy
email.headerregistry HeaderRegistry BaseHeader UnstructuredHeader Address Group
queue Empty Full
math pi e
`,
  },
  {
    verdict: "safe",
    reason: "makes an instance without calling its __init__",
    source: "CPython, Lib/copyreg.py",
    names: `
copyreg _reconstructor __newobj__ __newobj_ex__`,
  },
  {
    verdict: "safe",
    reason: "numpy's own form of arrays, dtypes and scalars",
    source:
      "numpy, `ndarray.__reduce__`, `dtype.__reduce__`; list of torch.load(weights_only=True)",
    names: `
numpy dtype ndarray recarray record chararray float16 float32 float64 float128 longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc intp uintp longlong ulonglong bool_ bool complex64 complex128 complex256 clongdouble str_ bytes_ void object_ datetime64 timedelta64 generic number integer floating
numpy.core.multiarray _reconstruct scalar
numpy._core.multiarray _reconstruct scalar
numpy.core.numeric _frombuffer
numpy.core._internal _reconstruct
numpy._core.numeric _frombuffer
numpy.core._internal _convert_to_stringdtype_kwargs
numpy._core._internal _convert_to_stringdtype_kwargs
numpy.ma.core _mareconstruct MaskedArray mvoid MaskedConstant
numpy.ma MaskedArray
numpy.rec recarray
numpy.random._pickle __randomstate_ctor __generator_ctor __bit_generator_ctor
numpy.random.bit_generator SeedSequence __pyx_unpickle_SeedSequence BitGenerator
numpy.random._bit_generator SeedSequence
numpy.random._mt19937 MT19937
numpy.random._pcg64 PCG64 PCG64DXSM
numpy.random._philox Philox
numpy.random._sfc64 SFC64
numpy.random.mtrand RandomState
numpy.random._generator Generator
numpy.dtypes StringDType Float64DType Float32DType Int64DType Int32DType BoolDType ObjectDType
numpy.polynomial.polynomial Polynomial
numpy poly1d
numpy.lib.polynomial poly1d
numpy.lib._polynomial_impl poly1d`,
  },
  {
    verdict: "safe",
    reason: "pandas' own form of its tables and arrays",
    source:
      "pandas, `__reduce__` of frames, indexes, arrays, offsets and scalars",
    names: `
pandas DataFrame Series Index RangeIndex MultiIndex DatetimeIndex TimedeltaIndex PeriodIndex IntervalIndex CategoricalIndex Categorical CategoricalDtype DatetimeTZDtype PeriodDtype IntervalDtype SparseDtype StringDtype BooleanDtype Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype Float32Dtype Float64Dtype ArrowDtype Timestamp Timedelta Period Interval NA NaT
pandas.arrays DatetimeArray TimedeltaArray PeriodArray IntervalArray StringArray ArrowStringArray ArrowExtensionArray IntegerArray FloatingArray BooleanArray SparseArray NumpyExtensionArray Categorical
pandas.core.frame DataFrame
pandas.core.series Series
pandas.core.indexes.base Index _new_Index
pandas.core.indexes.range RangeIndex
pandas.core.indexes.multi MultiIndex
pandas.core.indexes.numeric Int64Index UInt64Index Float64Index
pandas.core.indexes.datetimes DatetimeIndex _new_DatetimeIndex
pandas.core.indexes.timedeltas TimedeltaIndex
pandas.core.indexes.period PeriodIndex _new_PeriodIndex
pandas.core.indexes.interval IntervalIndex _new_IntervalIndex
pandas.core.indexes.category CategoricalIndex
pandas.core.indexes.frozen FrozenList FrozenNDArray
pandas.core.internals BlockManager SingleBlockManager
pandas.core.index Index MultiIndex Int64Index Float64Index _new_Index FrozenList FrozenNDArray
pandas.indexes.base Index _new_Index
pandas.indexes.multi MultiIndex
pandas.indexes.frozen FrozenList FrozenNDArray
pandas.indexes.range RangeIndex
pandas.indexes.numeric Int64Index Float64Index UInt64Index
pandas.core.internals.managers BlockManager SingleBlockManager
pandas.core.internals.blocks new_block
pandas._libs.internals _unpickle_block BlockPlacement
pandas._libs.arrays __pyx_unpickle_NDArrayBacked
pandas._libs.interval __pyx_unpickle_IntervalMixin Interval
pandas._libs.missing NAType
pandas._libs.sparse IntIndex BlockIndex
pandas._libs.tslibs.timestamps _unpickle_timestamp Timestamp
pandas._libs.tslibs.timedeltas _timedelta_unpickle Timedelta
pandas._libs.tslibs.nattype _nat_unpickle __nat_unpickle
pandas._libs.tslibs.period Period _period_unpickle
pandas._libs.tslibs.offsets BaseOffset BDay BusinessDay BusinessHour BusinessMonthBegin BusinessMonthEnd BYearBegin BYearEnd BQuarterBegin BQuarterEnd CustomBusinessDay DateOffset Day Easter Hour LastWeekOfMonth Micro Milli Minute MonthBegin MonthEnd Nano QuarterBegin QuarterEnd Second SemiMonthBegin SemiMonthEnd Tick Week WeekOfMonth YearBegin YearEnd
pandas.core.dtypes.dtypes CategoricalDtype DatetimeTZDtype PeriodDtype IntervalDtype PandasDtype NumpyEADtype SparseDtype ArrowDtype
pandas.core.arrays.categorical Categorical
pandas.core.arrays.datetimes DatetimeArray
pandas.core.arrays.timedeltas TimedeltaArray
pandas.core.arrays.period PeriodArray
pandas.core.arrays.interval IntervalArray
pandas.core.arrays.integer IntegerArray Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype
pandas.core.arrays.floating FloatingArray Float32Dtype Float64Dtype
pandas.core.arrays.boolean BooleanArray BooleanDtype
pandas.core.arrays.string_ StringArray StringDtype
pandas.core.arrays.string_arrow ArrowStringArray
pandas.core.arrays.arrow.array ArrowExtensionArray
pandas.core.arrays.arrow.dtype ArrowDtype
pandas.core.arrays.numpy_ PandasArray NumpyExtensionArray
pandas.core.arrays.sparse.array SparseArray
pandas.core.arrays.sparse.dtype SparseDtype
pandas.core.flags Flags
pandas.core.attrs Attrs`,
  },
  {
    verdict: "safe",
    reason: "Arrow's own form of its arrays",
    source: "pyarrow, `Array.__reduce__`, `Buffer.__reduce_ex__`",
    names: `
pyarrow.lib _restore_array type_for_alias py_buffer`,
  },
  {
    verdict: "safe",
    reason: "a time zone by name or offset",
    source: "pytz and dateutil, `__reduce__` of their zones",
    names: `
pytz _p _UTC FixedOffset UTC
pytz.tzinfo StaticTzInfo DstTzInfo
dateutil.tz.tz tzutc tzoffset tzlocal
dateutil.relativedelta relativedelta`,
  },
  {
    verdict: "safe",
    reason: "a tensor, its storage, or what describes it",
    source:
      "list of torch.load(weights_only=True), torch/_weights_only_unpickler.py",
    names: `
torch Tensor Size device dtype layout memory_format Generator
torch FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage QInt32Storage QUInt8Storage QUInt4x2Storage QUInt2x4Storage
torch float float16 float32 float64 bfloat16 half double int int8 int16 int32 int64 short long uint8 uint16 uint32 uint64 bool complex32 complex64 complex128 qint8 qint32 quint8 quint4x2 quint2x4 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2 per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric per_channel_affine_float_qparams strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc contiguous_format channels_last preserve_format
torch.storage UntypedStorage TypedStorage
torch._tensor Tensor _rebuild_from_type_v2
torch._utils _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_qtensor _rebuild_nested_tensor _rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor _rebuild_wrapper_subclass
torch.nn.parameter Parameter Buffer UninitializedParameter
torch.serialization _get_layout
torch.jit._pickle build_intlist build_doublelist build_boollist build_tensorlist`,
  },
  {
    verdict: "safe",
    reason: "a module of torch.nn, restored from its state",
    source: "torch, `nn.Module.__setstate__`",
    names: `
torch.nn.modules.module Module
torch.nn.modules.container Sequential ModuleList ModuleDict ParameterList ParameterDict
torch.nn.modules.linear Linear Identity Bilinear NonDynamicallyQuantizableLinear
torch.nn.modules.conv Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
torch.nn.modules.activation ReLU ReLU6 LeakyReLU PReLU RReLU ELU SELU CELU GELU SiLU Mish Sigmoid LogSigmoid Tanh Softmax LogSoftmax Softplus Softsign Softmin Hardtanh Hardswish Hardsigmoid Hardshrink Threshold GLU MultiheadAttention
torch.nn.modules.batchnorm BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm
torch.nn.modules.instancenorm InstanceNorm1d InstanceNorm2d InstanceNorm3d
torch.nn.modules.normalization LayerNorm GroupNorm LocalResponseNorm RMSNorm
torch.nn.modules.dropout Dropout Dropout1d Dropout2d Dropout3d AlphaDropout
torch.nn.modules.pooling MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
torch.nn.modules.padding ZeroPad2d ReflectionPad1d ReflectionPad2d ReplicationPad2d ConstantPad2d
torch.nn.modules.flatten Flatten Unflatten
torch.nn.modules.upsampling Upsample UpsamplingNearest2d UpsamplingBilinear2d
torch.nn.modules.sparse Embedding EmbeddingBag
torch.nn.modules.rnn RNN LSTM GRU RNNCell LSTMCell GRUCell
torch.nn.modules.transformer Transformer TransformerEncoder TransformerDecoder TransformerEncoderLayer TransformerDecoderLayer
torch.nn.modules.loss L1Loss MSELoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss SmoothL1Loss HuberLoss KLDivLoss`,
  },
  {
    verdict: "safe",
    reason:
      "a sparse matrix or other data class of scipy, restored from its state",
    source: "scipy, `__reduce__` and `__getstate__` of these classes",
    names: `
scipy.sparse._csr csr_matrix csr_array
scipy.sparse._csc csc_matrix csc_array
scipy.sparse._coo coo_matrix coo_array
scipy.sparse._bsr bsr_matrix bsr_array
scipy.sparse._dia dia_matrix dia_array
scipy.sparse._dok dok_matrix dok_array
scipy.sparse._lil lil_matrix lil_array
scipy.sparse._arrays csr_array csc_array coo_array bsr_array dia_array dok_array lil_array
scipy.sparse.csr csr_matrix
scipy.sparse.csc csc_matrix
scipy.sparse.coo coo_matrix
scipy.spatial._kdtree KDTree
scipy.spatial._ckdtree cKDTree
scipy.spatial.transform._rotation Rotation
scipy.interpolate._interpolate interp1d BPoly PPoly
scipy.interpolate._cubic CubicSpline
scipy.interpolate._bsplines BSpline
scipy.optimize._optimize OptimizeResult
scipy.stats._kde gaussian_kde`,
  },
  {
    verdict: "safe",
    reason: "a graph of networkx, restored from its state",
    source: "networkx, classes of `networkx.classes`",
    names: `
networkx.classes.graph Graph
networkx.classes.digraph DiGraph
networkx.classes.multigraph MultiGraph
networkx.classes.multidigraph MultiDiGraph
networkx.classes.reportviews NodeView NodeDataView DegreeView EdgeView OutEdgeView InEdgeView MultiEdgeView OutMultiEdgeView InMultiEdgeView DiDegreeView MultiDegreeView
networkx.classes.coreviews AtlasView AdjacencyView MultiAdjacencyView`,
  },
  {
    verdict: "safe",
    reason: "joblib's mark of an array that follows; the array is skipped",
    source: "joblib, numpy_pickle.py",
    names: `
joblib.numpy_pickle NumpyArrayWrapper
sklearn.externals.joblib.numpy_pickle NumpyArrayWrapper`,
  },
  {
    verdict: "safe",
    reason: "an estimator of scikit-learn, restored from its state",
    source: "scikit-learn, `BaseEstimator.__setstate__`",
    names: `
sklearn.pipeline Pipeline FeatureUnion
sklearn.compose._column_transformer ColumnTransformer _RemainderColsList make_column_selector
sklearn.compose._target TransformedTargetRegressor
sklearn.linear_model._base LinearRegression
sklearn.linear_model._logistic LogisticRegression LogisticRegressionCV
sklearn.linear_model._ridge Ridge RidgeCV RidgeClassifier RidgeClassifierCV _RidgeGCV
sklearn.linear_model._coordinate_descent Lasso LassoCV ElasticNet ElasticNetCV MultiTaskLasso MultiTaskElasticNet
sklearn.linear_model._least_angle Lars LassoLars LassoLarsCV
sklearn.linear_model._stochastic_gradient SGDClassifier SGDRegressor SGDOneClassSVM
sklearn.linear_model._bayes BayesianRidge ARDRegression
sklearn.linear_model._huber HuberRegressor
sklearn.linear_model._perceptron Perceptron
sklearn.linear_model._passive_aggressive PassiveAggressiveClassifier PassiveAggressiveRegressor
sklearn.linear_model._quantile QuantileRegressor
sklearn.linear_model._glm.glm PoissonRegressor GammaRegressor TweedieRegressor
sklearn.preprocessing._data StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer Binarizer PolynomialFeatures PowerTransformer QuantileTransformer KernelCenterer
sklearn.preprocessing._encoders OneHotEncoder OrdinalEncoder
sklearn.preprocessing._label LabelEncoder LabelBinarizer MultiLabelBinarizer
sklearn.preprocessing._discretization KBinsDiscretizer
sklearn.preprocessing._polynomial PolynomialFeatures SplineTransformer
sklearn.preprocessing._target_encoder TargetEncoder
sklearn.impute._base SimpleImputer MissingIndicator
sklearn.impute._knn KNNImputer
sklearn.impute._iterative IterativeImputer
sklearn.decomposition._pca PCA
sklearn.decomposition._incremental_pca IncrementalPCA
sklearn.decomposition._truncated_svd TruncatedSVD
sklearn.decomposition._nmf NMF MiniBatchNMF
sklearn.decomposition._fastica FastICA
sklearn.decomposition._factor_analysis FactorAnalysis
sklearn.decomposition._kernel_pca KernelPCA
sklearn.decomposition._lda LatentDirichletAllocation
sklearn.discriminant_analysis LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
sklearn.cluster._kmeans KMeans MiniBatchKMeans
sklearn.cluster._dbscan DBSCAN
sklearn.cluster._agglomerative AgglomerativeClustering
sklearn.cluster._spectral SpectralClustering
sklearn.cluster._mean_shift MeanShift
sklearn.cluster._birch Birch
sklearn.mixture._gaussian_mixture GaussianMixture
sklearn.mixture._bayesian_mixture BayesianGaussianMixture
sklearn.manifold._t_sne TSNE
sklearn.manifold._isomap Isomap
sklearn.tree._classes DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
sklearn.tree._tree Tree
sklearn.ensemble._forest RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor RandomTreesEmbedding
sklearn.ensemble._gb GradientBoostingClassifier GradientBoostingRegressor
sklearn.ensemble._bagging BaggingClassifier BaggingRegressor
sklearn.ensemble._weight_boosting AdaBoostClassifier AdaBoostRegressor
sklearn.ensemble._voting VotingClassifier VotingRegressor
sklearn.ensemble._stacking StackingClassifier StackingRegressor
sklearn.ensemble._iforest IsolationForest
sklearn.ensemble._gb_losses BinomialDeviance MultinomialDeviance LeastSquaresError
sklearn.ensemble._hist_gradient_boosting.gradient_boosting HistGradientBoostingClassifier HistGradientBoostingRegressor
sklearn.ensemble._hist_gradient_boosting.predictor TreePredictor
sklearn.ensemble._hist_gradient_boosting.binning _BinMapper
sklearn.dummy DummyClassifier DummyRegressor
sklearn.naive_bayes GaussianNB MultinomialNB BernoulliNB ComplementNB CategoricalNB
sklearn.neighbors._classification KNeighborsClassifier RadiusNeighborsClassifier
sklearn.neighbors._regression KNeighborsRegressor RadiusNeighborsRegressor
sklearn.neighbors._unsupervised NearestNeighbors
sklearn.neighbors._nearest_centroid NearestCentroid
sklearn.neighbors._lof LocalOutlierFactor
sklearn.neighbors._kde KernelDensity
sklearn.neighbors._kd_tree KDTree KDTree64 newObj
sklearn.neighbors._ball_tree BallTree BallTree64 newObj
sklearn.metrics._dist_metrics EuclideanDistance EuclideanDistance64 ManhattanDistance MinkowskiDistance newObj
sklearn.svm._classes SVC SVR NuSVC NuSVR LinearSVC LinearSVR OneClassSVM
sklearn.neural_network._multilayer_perceptron MLPClassifier MLPRegressor
sklearn.neural_network._stochastic_optimizers AdamOptimizer SGDOptimizer
sklearn.gaussian_process._gpr GaussianProcessRegressor
sklearn.gaussian_process._gpc GaussianProcessClassifier
sklearn.gaussian_process.kernels RBF ConstantKernel WhiteKernel Matern Product Sum Hyperparameter
sklearn.feature_extraction.text TfidfVectorizer CountVectorizer TfidfTransformer HashingVectorizer
sklearn.feature_extraction._dict_vectorizer DictVectorizer
sklearn.feature_selection._univariate_selection SelectKBest SelectPercentile
sklearn.feature_selection._variance_threshold VarianceThreshold
sklearn.feature_selection._from_model SelectFromModel
sklearn.feature_selection._rfe RFE RFECV
sklearn.multiclass OneVsRestClassifier OneVsOneClassifier
sklearn.multioutput MultiOutputClassifier MultiOutputRegressor
sklearn.calibration CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration
sklearn.isotonic IsotonicRegression
sklearn.model_selection._search GridSearchCV RandomizedSearchCV
sklearn.model_selection._split KFold StratifiedKFold ShuffleSplit
sklearn.covariance._empirical_covariance EmpiricalCovariance
sklearn.cross_decomposition._pls PLSRegression
sklearn.random_projection GaussianRandomProjection SparseRandomProjection
sklearn.kernel_ridge KernelRidge
sklearn.utils._bunch Bunch
sklearn.utils Bunch
sklearn._loss.link Interval LogitLink LogLink IdentityLink MultinomialLogit
sklearn._loss.loss HalfBinomialLoss HalfMultinomialLoss HalfSquaredError HalfPoissonLoss HalfGammaLoss AbsoluteError PinballLoss
sklearn._loss._loss CyHalfBinomialLoss CyHalfMultinomialLoss CyHalfSquaredError CyHalfPoissonLoss CyAbsoluteError CyPinballLoss __pyx_unpickle_CyHalfBinomialLoss __pyx_unpickle_CyHalfMultinomialLoss __pyx_unpickle_CyHalfSquaredError
_loss CyHalfBinomialLoss CyHalfMultinomialLoss CyHalfSquaredError __pyx_unpickle_CyHalfBinomialLoss`,
  },
  {
    verdict: "unknown",
    rule: "text-codec",
    reason: "codecs other than those of text can hide what they carry",
    source: "CPython, Lib/pickle.py: bytes below protocol 3",
    names: `
_codecs encode
codecs encode`,
  },
  {
    verdict: "dangerous",
    rule: "attribute",
    reason: "reaches any attribute of anything",
    source:
      "CPython, Lib/pickle.py: nested names below protocol 4; fickling and picklescan deny it",
    names: `
builtins getattr`,
  },
  {
    verdict: "unknown",
    rule: "new-partial",
    reason: "calls another function later",
    source:
      "CPython, Lib/pickle.py: NEWOBJ_EX below protocol 4; modelaudit denies it",
    names: `
functools partial
_functools partial`,
  },
  {
    verdict: "unknown",
    rule: "one-argument",
    reason: "with more arguments it makes classes, or calls",
    source: "Python documentation, Built-in Functions",
    names: `
builtins type iter`,
  },
  {
    verdict: "dangerous",
    rule: "subscript",
    reason: "takes anything out of any container",
    source: "CPython, Lib/typing.py: parametrised types; modelaudit denies it",
    names: `
_operator getitem
operator getitem`,
  },
  {
    verdict: "dangerous",
    rule: "nested",
    reason: "loads a pickle from bytes",
    source: "torch, `Storage.__reduce__`",
    names: `
torch.storage _load_from_bytes`,
  },
  {
    verdict: "unknown",
    rule: "subclass",
    reason: "its constructor opens files",
    source: "joblib, numpy_pickle.py: the class an array had",
    names: `
numpy memmap
numpy.core.memmap memmap`,
  },
  {
    verdict: "unknown",
    reason: "stands for an array in another file, which joblib opens",
    source: "joblib, numpy_pickle_compat.py",
    names: `
joblib.numpy_pickle NDArrayWrapper ZNDArrayWrapper
sklearn.externals.joblib.numpy_pickle NDArrayWrapper ZNDArrayWrapper
joblib.numpy_pickle_compat NDArrayWrapper ZNDArrayWrapper
joblib.hashing _ConsistentSet _MyHash`,
  },
  {
    verdict: "unknown",
    reason: "reaches attributes or items of what it is called with later",
    source: "modelaudit and picklescan deny it",
    names: `
operator attrgetter itemgetter methodcaller
_operator attrgetter itemgetter methodcaller`,
  },
  {
    verdict: "unknown",
    reason: "calls a function that it is given",
    source: "modelaudit and picklescan deny it",
    names: `
functools reduce
_functools reduce
builtins map filter
itertools starmap dropwhile takewhile filterfalse groupby`,
  },
  {
    verdict: "unknown",
    reason: "used by picklers of code for classes and modules",
    source: "cloudpickle and dill, their own reducers",
    names: `
cloudpickle.cloudpickle subimport
dill._dill _load_type _create_type _import_module _get_attr
builtins setattr`,
  },
  {
    verdict: "dangerous",
    reason: "runs code or reaches what does",
    source:
      "Python documentation, Built-in Functions; deny lists of fickling, picklescan and modelscan",
    names: `
builtins eval exec compile execfile apply __import__ open getattr delattr globals locals vars dir breakpoint input raw_input reload help exit quit __build_class__ file
typing _eval_type get_type_hints ForwardRef._evaluate evaluate_forward_ref
dataclasses _create_fn make_dataclass
numpy.testing._private.utils runstring
numpy.testing runstring
numpy load loads save savez savez_compressed savetxt fromfile memmap.__new__ genfromtxt loadtxt fromregex DataSource test
numpy.compat npy_load_module
numpy.compat.py3k npy_load_module
numpy.lib.format open_memmap read_array write_array
numpy.lib._format_impl open_memmap read_array write_array
numpy.lib.npyio load save savez NpzFile DataSource loadtxt
numpy.lib._npyio_impl load save savez loadtxt
pandas read_pickle read_csv read_json read_html read_sql read_table read_fwf read_excel read_hdf read_parquet read_feather read_orc read_stata read_sas read_spss read_xml read_clipboard read_gbq ExcelFile ExcelWriter HDFStore eval test show_versions
pandas.io.pickle read_pickle to_pickle
pandas.core.computation.eval eval
torch load save
torch.serialization load save _load _legacy_load
torch.jit load save
torch.storage _new_shared
torch.jit.unsupported_tensor_ops execWrapper
torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
torch.utils._config_module ConfigModule.load_config
torch.utils.collect_env run run_and_read_all
torch.distributed.rpc rpc_sync rpc_async remote
inspect getattr_static getsource getmodule
operator call
_operator call
types CodeType FunctionType LambdaType MethodType ModuleType new_class CoroutineType GeneratorType coroutine DynamicClassAttribute
weakref finalize WeakMethod proxy
_weakref proxy ref
collections namedtuple
io open FileIO open_code TextIOWrapper BufferedReader BufferedWriter
_io open FileIO open_code TextIOWrapper BufferedReader BufferedWriter
codecs open EncodedFile decode lookup
_codecs decode lookup register
logging FileHandler
logging.handlers RotatingFileHandler TimedRotatingFileHandler SocketHandler SMTPHandler HTTPHandler
logging.config fileConfig dictConfig listen
uuid _get_command_stdout _popen _find_mac_near_keyword _find_mac_under_heading _find_mac_netstat _ifconfig_getter _ip_getter _arp_getter _lanscan_getter _netstat_getter _ipconfig_getter _netbios_getter _unix_getter getnode
csv DictWriter
copyreg add_extension pickle _extension_registry _inverted_registry _extension_cache dispatch_table constructor remove_extension clear_extension_cache
networkx read_gpickle
warnings _getcategory _setoption _processoptions
gettext c2py find translation install bindtextdomain
dataclasses _FuncBuilder _process_class
argparse FileType
tokenize open
hashlib file_digest
plistlib readPlist writePlist load dump
mimetypes read_mime_types init MimeTypes
http.cookiejar FileCookieJar MozillaCookieJar LWPCookieJar
xml.dom.minidom parse parseString
xml.etree.ElementTree iterparse ElementTree.parse ElementTree.write
xml.etree.cElementTree parse iterparse
xml.etree.ElementInclude default_loader include
sklearn.datasets load_files fetch_openml
tensorflow load_op_library load_library
keras.utils.generic_utils func_load
keras.src.utils.python_utils func_load
keras.models load_model
keras.saving load_model
tensorflow.keras.models load_model
cmd Cmd
six exec_ _import_module
future.utils exec_ exec
sympy sympify parse_expr lambdify S
sympy.core.sympify sympify
attr._make _compile_and_eval _linecache_and_compile _eval_snippets
attr make_class
werkzeug.utils import_string
django.utils.module_loading import_string
traitlets.utils.importstring import_item
traitlets import_item
hydra.utils instantiate get_method get_class
gensim.utils unpickle
spacy load
sqlalchemy create_engine
sqlalchemy.engine create_engine
sqlalchemy.engine.create create_engine
transformers pipeline
PIL.Image open
cv2 imread imwrite
xml.etree.ElementTree parse`,
  },
];

interface ModuleGroup {
  readonly reason: string;
  readonly source: string;
  /** Modules, with all that is in them and below them. */
  readonly modules: string;
}

const SCANNERS = "deny lists of fickling, picklescan, modelscan and modelaudit";

/** Modules of which everything that has no entry of its own is dangerous. */
const MODULES: readonly ModuleGroup[] = [
  {
    reason: "starts programs",
    source: SCANNERS,
    modules:
      "os posix nt os2 ce riscos subprocess commands popen2 pty multiprocessing _multiprocessing _posixsubprocess _winapi _subprocess pexpect sh plumbum invoke fabric ptyprocess concurrent",
  },
  {
    reason: "runs code",
    source: SCANNERS,
    modules:
      "code codeop runpy timeit cProfile profile trace pdb bdb doctest idlelib lib2to3 numpy.f2py torch._dynamo torch._inductor torch.fx torch.jit torch.distributed torch.testing torch.utils.bottleneck torch.utils.cpp_extension torch.utils.collect_env torch.utils._config_module pandas.core.computation pstats hotshot tabnanny compileall py_compile sched unittest test.support test.autotest test.regrtest test.libregrtest test.__main__ _testcapi _testinternalcapi antigravity this IPython ipykernel _lsprof annotationlib numpy.testing numpy.distutils numpy.ma.testutils torch.utils.benchmark torch.utils.hipify torch.utils.model_dump torch.utils.show_pickle torch.utils.tensorboard torch.onnx torch.export torch._export pandas._testing pandas.util._test_decorators sklearn.utils._testing scipy.weave scipy._lib._testutils numexpr sympy.parsing sympy.utilities.lambdify mako jinja2 django.template Cython cython pyximport fire past keras.layers.core keras.src.layers.core nbconvert nbformat notebook jupyter_client hydra._internal PIL.ImageMath werkzeug.debug pytest _pytest py",
  },
  {
    reason: "imports what the pickle names",
    source: SCANNERS,
    modules:
      "importlib imp pkgutil zipimport pydoc _frozen_importlib _frozen_importlib_external site sitecustomize usercustomize ihooks imputil cloudpickle modulefinder __builtins__ rexec _imp encodings _distutils_hack xml.sax xml.dom.domreg xml.dom.expatbuilder xml.dom.pulldom pandas.compat._optional transformers.dynamic_module_utils zoneinfo._common zoneinfo._tzpath six.moves pyspark.cloudpickle ray.cloudpickle srsly.cloudpickle",
  },
  {
    reason: "calls or reaches what the pickle names",
    source: SCANNERS,
    modules: "atexit new",
  },
  {
    reason: "makes code out of bytes",
    source: SCANNERS,
    modules: "marshal dill opcode bytecode",
  },
  {
    reason: "loads a pickle",
    source: SCANNERS,
    modules:
      "pickle _pickle cPickle pickletools pickle5 compress_pickle pickleshare kombu.serialization distributed.protocol pyspark.serializers numba.core.serialize nltk.data shelve dbm anydbm jsonpickle hickle klepto joblib sklearn.externals.joblib torch.hub torch.package yaml ruamel numpy.lib.npyio numpy.lib._npyio_impl pandas.io torch.utils.data.datapipes",
  },
  {
    reason: "reaches native code",
    source: SCANNERS,
    modules:
      "ctypes _ctypes _tkinter _wmi _overlapped _posixshmem torch.ops torch.classes torch._ops tensorflow.python.framework.load_library llvmlite theano clr jpype rpy2 win32api win32com win32process win32file comtypes pythoncom mmap cffi _cffi_backend numpy.ctypeslib pycparser jnius winreg _winreg msvcrt",
  },
  {
    reason: "opens connections",
    source: SCANNERS,
    modules:
      "nis pycurl zmq pika redis pymongo psycopg2 psycopg MySQLdb pymysql grpc docker kubernetes ansible scapy huggingface_hub torch.utils.model_zoo nltk.downloader socket _socket ssl _ssl urllib urllib2 urllib3 urlparse http.client http.server httplib httplib2 requests aiohttp httpx smtplib smtpd ftplib imaplib poplib nntplib telnetlib xmlrpc xmlrpclib SimpleXMLRPCServer SocketServer socketserver asyncio _asyncio asyncore asynchat webbrowser paramiko select selectors wsgiref BaseHTTPServer SimpleHTTPServer CGIHTTPServer cgi cgitb twisted tornado websocket boto3 botocore",
  },
  {
    reason: "reads or writes files",
    source: SCANNERS,
    modules:
      "scipy.io _pyio aifc wave sunau uu binhex imghdr sndhdr pyclbr _gdbm _dbm pathlib._os compression imageio skimage.io tensorflow.io tensorflow.raw_ops tensorflow.python.lib.io tensorflow.python.ops.gen_io_ops logging.config logging.handlers shutil tempfile glob fileinput linecache filecmp zipfile tarfile sqlite3 _sqlite3 distutils mailbox bz2 _bz2 gzip lzma _lzma zlib dircache netrc zipapp",
  },
  {
    reason: "reaches the interpreter or the system",
    source: SCANNERS,
    modules:
      "sys gc _signal fcntl ossaudiodev winsound psutil _interpchannels _interpqueues _sysconfig _ios_support _android_support pipes signal threading _thread thread dummy_threading _interpreters _xxsubinterpreters _xxinterpchannels platform _osx_support _aix_support _pyrepl mailcap venv ensurepip pip setuptools pkg_resources faulthandler tracemalloc resource pwd grp spwd crypt curses _curses readline rlcompleter termios tty getpass nturl2path sysconfig syslog tkinter Tkinter turtle turtledemo",
  },
  {
    reason: "changes what a scanner sees",
    source: SCANNERS,
    modules: "fickling picklescan modelscan modelaudit saferpickle",
  },
];

/** Modules that many others import, so that they are reached through them. */
const ALIASED: ReadonlySet<string> = new Set(
  "os sys subprocess builtins importlib socket shutil ctypes pickle marshal posix nt runpy pty tempfile urllib threading multiprocessing"
    .split(" "),
);

/** Names too telling to be a coincidence. */
const EVALUATORS: ReadonlySet<string> = new Set(
  "eval exec execfile compile __import__ getattr open globals".split(" "),
);

/** Special names that reach nothing but the object's own value. */
const OWN_NAMES: ReadonlySet<string> = new Set(
  "new len contains iter next reversed eq ne lt le gt ge hash bool str repr bytes format int float complex index round trunc floor ceil add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or neg pos abs invert radd rsub rmul iadd isub imul copy deepcopy length_hint sizeof"
    .split(" ").map((name) => `__${name}__`),
);

/**
 * Says whether an attribute leads from an object to what is behind it, such
 * as its class or its globals.
 *
 * @param name The attribute
 * @returns Whether it does
 */
export function isReach(name: string): boolean {
  return /^__.+__$/.test(name) && !OWN_NAMES.has(name);
}

const EXACT = new Map<string, NameEntry>();
for (const { names, ...entry } of NAMES) {
  for (const line of names.trim().split("\n")) {
    const [module, ...rest] = line.split(" ");
    for (const name of rest) {
      const key = `${module}\n${name}`;
      // The first entry of a name stands.
      if (!EXACT.has(key)) EXACT.set(key, entry);
    }
  }
}

const DENIED_MODULES = new Map<string, NameEntry>();
for (const { modules, reason, source } of MODULES) {
  for (const module of modules.split(" ")) {
    DENIED_MODULES.set(module, { verdict: "dangerous", reason, source });
  }
}

const UNKNOWN: NameEntry = {
  verdict: "unknown",
  reason: "no list vouches for it",
  source: "",
};

const PYTHON = "Python documentation, Data model";

const EXCEPTION: NameEntry = {
  verdict: "unknown",
  reason: "an exception, by its name",
  source: "PEP 8, Exception Names",
};

const PATH_METHOD: NameEntry = {
  verdict: "dangerous",
  reason: "reads or writes files",
  source: "Python documentation, pathlib, Concrete paths",
};

/** Methods of known types that leave the pickle, by what they are called. */
const WRITERS =
  /^(?:to_(?!list|dict|numpy|tuple|frame|series|bytes)\w+|tofile|dumps?|loads?|save|open|read\w*|write\w*|eval|query|pipe|apply|run|execute)$/;

const WRITER: NameEntry = {
  verdict: "dangerous",
  reason: "a method that reads or writes files, or runs code",
  source: "numpy and pandas documentation, Input/output",
};

/** Exceptions travel from one process to another; they do nothing. */
function isException(name: string): boolean {
  return /^[A-Z]\w*(?:Error|Exception|Warning|Timeout)$/.test(name);
}

/** The entry of a module, or of the nearest one above it. */
function deniedModule(module: string): NameEntry | undefined {
  for (
    let end = module.length;
    end > 0;
    end = module.lastIndexOf(".", end - 1)
  ) {
    const entry = DENIED_MODULES.get(module.slice(0, end));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function judgeExactly(module: string, name: string): NameEntry {
  const entry = EXACT.get(`${module}\n${name}`);
  if (entry !== undefined) return entry;
  const denied = deniedModule(module);
  if (denied !== undefined) return isException(name) ? EXCEPTION : denied;
  if (/^pathlib(?:\._local)?$/.test(module) && /^(?!Pure)\w+\.\w/.test(name)) {
    return PATH_METHOD;
  }
  const parts = name.split(".");
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (isReach(part)) {
      return {
        verdict: "dangerous",
        reason: "reaches into Python by a special name",
        source: PYTHON,
      };
    }
    // `random._os.system` is `os.system` by another name.
    const alias = part.replace(/^_+/, "");
    const reached = ALIASED.has(alias)
      ? deniedModule(alias) ?? EXACT.get("builtins\neval")
      : undefined;
    if (reached !== undefined) {
      return { ...reached, reason: `${reached.reason}, by another name` };
    }
    const builtin = i > 0 ? EXACT.get(`builtins\n${part}`) : undefined;
    if (builtin?.verdict === "dangerous" && EVALUATORS.has(part)) {
      return { ...builtin, reason: `${builtin.reason}, by another name` };
    }
  }
  // A dotted name is as bad as the class it begins with.
  const first = parts.length > 1 && EXACT.get(`${module}\n${parts[0]}`);
  if (first && first.verdict === "dangerous") return first;
  if (first && WRITERS.test(parts.at(-1)!)) return WRITER;
  return UNKNOWN;
}

/**
 * Looks a name up, both as it stands and as Python 3 calls what Python 2
 * called so; the worse of the two counts.
 *
 * @param module The module
 * @param name The name within it, dotted for a nested one
 * @returns What the lists say
 */
export function judgeName(module: string, name: string): NameEntry {
  const [module3, name3] = toPython3Name(module, name);
  const new3 = judgeExactly(module3, name3);
  if (module3 === module && name3 === name) return new3;
  const old = judgeExactly(module, name);
  if (new3.verdict === "dangerous" || old.verdict !== "dangerous") return new3;
  return old;
}

/** How many names the lists hold, for the curious and for tests. */
export const LIST_SIZES: { readonly names: number; readonly modules: number } =
  { names: EXACT.size, modules: DENIED_MODULES.size };

/**
 * Gives each entry of the lists.
 *
 * @returns Module and name, or a module with all that is in it
 */
export function* listedNames(): Generator<
  { module: string; name?: string; entry: NameEntry },
  void
> {
  for (const [key, entry] of EXACT) {
    const [module, name] = key.split("\n");
    yield { module: module!, name: name!, entry };
  }
  for (const [module, entry] of DENIED_MODULES) yield { module, entry };
}
