package condapypi

import "strings"

// corrections are what the table does not know, or has wrong, each with the reason. A project of "" is a package that is on
// conda only. What the metadata in a conda package calls itself is not always what it is, and a package without metadata may
// be a project all the same.
var corrections = map[string]Row{
	// Without the metadata of a Python package, and on PyPI by the same people.
	"uv":                {"uv", "conda-forge compiles it without its Python metadata; PyPI's uv is the same program by the same authors"},
	"ninja":             {"ninja", "conda-forge compiles it without Python; PyPI's ninja brings the same program"},
	"typing-extensions": {"typing-extensions", "a package without files that requires typing_extensions"},
	"sphinx-rtd-theme":  {"sphinx-rtd-theme", "a package without files that requires sphinx_rtd_theme"},
	"vtk":               {"vtk", "a package without files that requires vtk-base"},

	// The names that this tool knew before it had the table.
	"matplotlib-base":     {"matplotlib", "conda-forge's part of matplotlib without a window system"},
	"msgpack-python":      {"msgpack", "the project was renamed; msgpack-python is its old name"},
	"pytorch":             {"torch", "PyTorch is torch on PyPI"},
	"python-build":        {"build", "conda-forge has another build"},
	"playwright-python":   {"playwright", "conda-forge's playwright is the one of Node.js"},
	"py-opencv":           {"opencv-python", "the Python part of OpenCV"},
	"pytables":            {"tables", "PyTables is tables on PyPI"},
	"python-graphviz":     {"graphviz", "conda-forge's graphviz is the program"},
	"importlib_resources": {"importlib-resources", "the same name in the form of PyPI"},

	// Packages that bring other projects along: the first in the table is one of those.
	"google-cloud-bigquery-storage-core": {"google-cloud-bigquery-storage", "the table has what it brings along first"},
	"hist-base":                          {"hist", "the table has what it brings along first"},
	"ray-core":                           {"ray", "the table has what it brings along first"},
	"u8darts-all":                        {"u8darts", "the table has what it brings along"},
	"charliecloud":                       {"", "a program; the table has a library that it brings along"},
	"distcc":                             {"", "a program; the table has a part of it"},
	"inkscape":                           {"", "a program; the table has a library that it brings along"},
	"isce2":                              {"", "the table has what it brings along"},
	"libopencv":                          {"", "the C++ part of OpenCV; py-opencv is the Python part"},
	"nsight-compute":                     {"", "a program; the table has what it brings along"},
	"pypy3.9":                            {"", "an interpreter; the table has what it brings along"},
	"qgis":                               {"", "a program; the table has a library that it brings along"},
	"rb-pygments.rb":                     {"", "a Ruby library; the table has what it brings along"},
	"stackvana-lsst_distrib":             {"", "the table has what it brings along"},
	"vscode-python":                      {"", "an extension of an editor; the table has what it brings along"},

	// Another project has the name that the metadata gives.
	"hygeos-core": {"", "it calls itself core, and is not on PyPI"},
	"nvidia-apex": {"", "it calls itself apex, and apex on PyPI is another project"},
}

// models are spaCy's: they call themselves en-core-web-sm and the like.
const models = "spacy-model-"

func correction(name string) (Row, bool) {
	if strings.HasPrefix(name, models) {
		return Row{Reason: "spaCy's models are published on GitHub, and not on PyPI"}, true
	}
	row, ok := corrections[name]
	return row, ok
}
