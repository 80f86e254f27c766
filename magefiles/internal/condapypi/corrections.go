package condapypi

import "strings"

// corrections contains the names that are missing or wrong in the table, with reasons. An empty Project marks a package that is only on conda. The
// name in a conda package's Python metadata is not always the corresponding project, and a package without metadata may still be on PyPI.
var corrections = map[string]Row{
	// These packages lack Python metadata, but their authors publish them on PyPI.
	"uv": {
		Project: "uv",
		Reason:  "conda-forge compiles it without its Python metadata; PyPI's uv is the same program by the same authors",
	},
	"ninja":             {Project: "ninja", Reason: "conda-forge compiles it without Python; PyPI's ninja includes the same program"},
	"typing-extensions": {Project: "typing-extensions", Reason: "a package without files that requires typing_extensions"},
	"sphinx-rtd-theme":  {Project: "sphinx-rtd-theme", Reason: "a package without files that requires sphinx_rtd_theme"},
	"vtk":               {Project: "vtk", Reason: "a package without files that requires vtk-base"},

	// This tool mapped these names before it had the table.
	"matplotlib-base":     {Project: "matplotlib", Reason: "conda-forge's part of matplotlib without a window system"},
	"msgpack-python":      {Project: "msgpack", Reason: "the project was renamed; msgpack-python is its old name"},
	"pytorch":             {Project: "torch", Reason: "PyTorch is torch on PyPI"},
	"python-build":        {Project: "build", Reason: "conda-forge has another package named build"},
	"playwright-python":   {Project: "playwright", Reason: "conda-forge's playwright is the package for Node.js"},
	"py-opencv":           {Project: "opencv-python", Reason: "the Python part of OpenCV"},
	"pytables":            {Project: "tables", Reason: "PyTables is tables on PyPI"},
	"python-graphviz":     {Project: "graphviz", Reason: "conda-forge's graphviz is the program"},
	"importlib_resources": {Project: "importlib-resources", Reason: "PyPI's spelling of the same name"},

	// These packages include other projects, and the table lists one of those first.
	"google-cloud-bigquery-storage-core": {Project: "google-cloud-bigquery-storage", Reason: "the table lists a bundled project first"},
	"hist-base":                          {Project: "hist", Reason: "the table lists a bundled project first"},
	"ray-core":                           {Project: "ray", Reason: "the table lists a bundled project first"},
	"u8darts-all":                        {Project: "u8darts", Reason: "the table has only a bundled project"},
	"charliecloud":                       {Project: "", Reason: "a program; the table has a bundled library"},
	"distcc":                             {Project: "", Reason: "a program; the table has a part of the program"},
	"inkscape":                           {Project: "", Reason: "a program; the table has a bundled library"},
	"isce2":                              {Project: "", Reason: "the table has only a bundled project"},
	"libopencv":                          {Project: "", Reason: "the C++ part of OpenCV; py-opencv is the Python part"},
	"nsight-compute":                     {Project: "", Reason: "a program; the table has only a bundled project"},
	"pypy3.9":                            {Project: "", Reason: "an interpreter; the table has only a bundled project"},
	"qgis":                               {Project: "", Reason: "a program; the table has a bundled library"},
	"rb-pygments.rb":                     {Project: "", Reason: "a Ruby library; the table has only a bundled project"},
	"stackvana-lsst_distrib":             {Project: "", Reason: "the table has only a bundled project"},
	"vscode-python":                      {Project: "", Reason: "an extension of an editor; the table has only a bundled project"},

	// The name in the metadata belongs to another project.
	"hygeos-core": {Project: "", Reason: "the package calls itself core, and is not on PyPI"},
	"nvidia-apex": {Project: "", Reason: "the package calls itself apex, but apex on PyPI is another project"},
}

// models is the prefix of spaCy's model packages, whose metadata has names such as en-core-web-sm.
const models = "spacy-model-"

func correction(name string) (Row, bool) {
	if strings.HasPrefix(name, models) {
		return Row{Reason: "spaCy's models are published on GitHub, and not on PyPI"}, true
	}
	row, ok := corrections[name]
	return row, ok
}
