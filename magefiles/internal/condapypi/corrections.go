package condapypi

import "strings"

// corrections are what the table does not know, or has wrong, each with the reason. A project of "" is a package that is on
// conda only. What the metadata in a conda package calls itself is not always what it is, and a package without metadata may
// be a project all the same.
var corrections = map[string]Row{
	// Without the metadata of a Python package, and on PyPI by the same people.
	"uv": {
		Project: "uv",
		Reason:  "conda-forge compiles it without its Python metadata; PyPI's uv is the same program by the same authors",
	},
	"ninja":             {Project: "ninja", Reason: "conda-forge compiles it without Python; PyPI's ninja brings the same program"},
	"typing-extensions": {Project: "typing-extensions", Reason: "a package without files that requires typing_extensions"},
	"sphinx-rtd-theme":  {Project: "sphinx-rtd-theme", Reason: "a package without files that requires sphinx_rtd_theme"},
	"vtk":               {Project: "vtk", Reason: "a package without files that requires vtk-base"},

	// The names that this tool knew before it had the table.
	"matplotlib-base":     {Project: "matplotlib", Reason: "conda-forge's part of matplotlib without a window system"},
	"msgpack-python":      {Project: "msgpack", Reason: "the project was renamed; msgpack-python is its old name"},
	"pytorch":             {Project: "torch", Reason: "PyTorch is torch on PyPI"},
	"python-build":        {Project: "build", Reason: "conda-forge has another build"},
	"playwright-python":   {Project: "playwright", Reason: "conda-forge's playwright is the one of Node.js"},
	"py-opencv":           {Project: "opencv-python", Reason: "the Python part of OpenCV"},
	"pytables":            {Project: "tables", Reason: "PyTables is tables on PyPI"},
	"python-graphviz":     {Project: "graphviz", Reason: "conda-forge's graphviz is the program"},
	"importlib_resources": {Project: "importlib-resources", Reason: "the same name in the form of PyPI"},

	// Packages that bring other projects along: the first in the table is one of those.
	"google-cloud-bigquery-storage-core": {Project: "google-cloud-bigquery-storage", Reason: "the table has what it brings along first"},
	"hist-base":                          {Project: "hist", Reason: "the table has what it brings along first"},
	"ray-core":                           {Project: "ray", Reason: "the table has what it brings along first"},
	"u8darts-all":                        {Project: "u8darts", Reason: "the table has what it brings along"},
	"charliecloud":                       {Project: "", Reason: "a program; the table has a library that it brings along"},
	"distcc":                             {Project: "", Reason: "a program; the table has a part of it"},
	"inkscape":                           {Project: "", Reason: "a program; the table has a library that it brings along"},
	"isce2":                              {Project: "", Reason: "the table has what it brings along"},
	"libopencv":                          {Project: "", Reason: "the C++ part of OpenCV; py-opencv is the Python part"},
	"nsight-compute":                     {Project: "", Reason: "a program; the table has what it brings along"},
	"pypy3.9":                            {Project: "", Reason: "an interpreter; the table has what it brings along"},
	"qgis":                               {Project: "", Reason: "a program; the table has a library that it brings along"},
	"rb-pygments.rb":                     {Project: "", Reason: "a Ruby library; the table has what it brings along"},
	"stackvana-lsst_distrib":             {Project: "", Reason: "the table has what it brings along"},
	"vscode-python":                      {Project: "", Reason: "an extension of an editor; the table has what it brings along"},

	// Another project has the name that the metadata gives.
	"hygeos-core": {Project: "", Reason: "it calls itself core, and is not on PyPI"},
	"nvidia-apex": {Project: "", Reason: "it calls itself apex, and apex on PyPI is another project"},
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
