/*
 * Take the objects that her2path measured into this project.
 *
 * Open an image and choose Run > Run, or Run > Run for project for all of them; or without a window:
 *     QuPath script --save --project=project.qpproj scripts/her2path_import.groovy
 *
 * What is there already (the same object by its identifier) stays as it is, so that nothing that a
 * person changed is lost, and the script may be run again.
 */
import com.google.gson.stream.JsonReader
import qupath.lib.io.GsonTools
import qupath.lib.objects.PathObject

import java.nio.charset.StandardCharsets
import java.util.zip.ZipFile

// Take out what you do not want to see; 'tiles' (what was measured at a time) may be added.
def layers = ['regions', 'quality', 'hotspots', 'blocks', 'nuclei', 'signals', 'cells']
def atOnce = 20000

def entry = getProjectEntry()
if (entry == null)
    throw new IllegalStateException('Open the image from the project first')
def imageId = entry.getMetadataMap().get('her2path image')
def folder = new File(buildFilePath(PROJECT_BASE_DIR, 'her2path', imageId))
if (imageId == null || !new File(folder, 'image.json').isFile()) {
    println "${entry.getImageName()}: her2path wrote nothing for this image"
    return
}
def gson = GsonTools.getInstance()
def facts = gson.fromJson(new File(folder, 'image.json').getText('UTF-8'), Map.class)
def server = getCurrentServer()
if (server.getWidth() != (facts.width_px0 as int) || server.getHeight() != (facts.height_px0 as int))
    throw new IllegalStateException(
        "${imageId}: this image has ${server.getWidth()} x ${server.getHeight()} pixels, but " +
        "${facts.width_px0 as int} x ${facts.height_px0 as int} were measured; nothing was taken in")

def imageData = getCurrentImageData()
if (imageData.getImageType() == null || imageData.getImageType().name() == 'UNSET')
    setImageType(facts.image_type as String)
def calibration = server.getPixelCalibration()
if (!calibration.hasPixelSizeMicrons() ||
        Math.abs(calibration.getAveragedPixelSizeMicrons() - (facts.mpp as double)) > 1e-4 * (facts.mpp as double)) {
    println "${imageId}: pixel size set to ${facts.mpp} µm (${facts.mpp_origin})"
    setPixelSizeMicrons(facts.mpp as double, facts.mpp as double)
}

def hierarchy = imageData.getHierarchy()
def known = new HashSet(hierarchy.getAllObjects(false).collect { it.getID() })
def readLayer = { InputStream stream ->
    // One feature after the other: the text of a million cells would not fit into memory at once.
    long taken = 0
    def some = []
    def reader = new JsonReader(new InputStreamReader(stream, StandardCharsets.UTF_8))
    reader.beginObject()
    while (reader.hasNext()) {
        if (reader.nextName() != 'features') {
            reader.skipValue()
            continue
        }
        reader.beginArray()
        while (reader.hasNext()) {
            PathObject found = gson.fromJson(reader, PathObject.class)
            if (known.add(found.getID())) {
                some << found
                taken++
            }
            if (some.size() >= atOnce) {
                hierarchy.addObjects(some)
                some = []
            }
        }
        reader.endArray()
    }
    if (some)
        hierarchy.addObjects(some)
    return taken
}
layers.each { layer ->
    def plain = new File(folder, layer + '.geojson')
    def packed = new File(folder, layer + '.geojson.zip')
    if (plain.isFile()) {
        plain.withInputStream { println "${imageId}: ${readLayer(it)} new objects (${layer})" }
    } else if (packed.isFile()) {
        def archive = new ZipFile(packed)
        try {
            archive.entries().each {
                println "${imageId}: ${readLayer(new BufferedInputStream(archive.getInputStream(it)))} new objects (${layer})"
            }
        } finally {
            archive.close()
        }
    }
}
fireHierarchyUpdate()
