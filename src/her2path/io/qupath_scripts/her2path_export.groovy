/*
 * Write what a person changed on an image for `her2path qupath import`: one file an image in the folder
 * her2path/edited of the project.
 *
 * Draw tumour (class Tumor), what is to be left out (Ignore*) and control tissue (Control, Control: 3+),
 * give single cells another class, then choose Run > Run, or Run > Run for project.
 *
 * Locked annotations are those that her2path wrote: they are no change.  The locked tumour regions of the
 * case sheet are written beside new ones, because drawn tumour takes the place of all that was there.
 */
import qupath.lib.io.PathIO

def entry = getProjectEntry()
def imageId = entry == null ? null : entry.getMetadataMap().get('her2path image')
if (imageId == null)
    throw new IllegalStateException('Open an image of a project that her2path wrote')
def isTumour = { it.getPathClass() != null && it.getPathClass().toString() == 'Tumor' }
def drawn = getAnnotationObjects().findAll { !it.isLocked() }
if (drawn.any(isTumour))
    drawn += getAnnotationObjects().findAll { it.isLocked() && isTumour(it) }
def objects = drawn + getCellObjects()
def folder = buildFilePath(PROJECT_BASE_DIR, 'her2path', 'edited')
mkdirs(folder)
def target = new File(folder, imageId + '.zip')
PathIO.exportObjectsAsGeoJSON(
    target, objects,
    PathIO.GeoJsonExportOptions.FEATURE_COLLECTION, PathIO.GeoJsonExportOptions.EXCLUDE_MEASUREMENTS)
println "${imageId}: ${drawn.size()} annotations and ${objects.size() - drawn.size()} cells " +
    "written to her2path/edited/${target.getName()}"
