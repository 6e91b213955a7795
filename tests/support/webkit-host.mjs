// A browser around WebKitGTK, run by GJS: one window, whose page belongs to WebDriver. WebKit's own MiniBrowser forgets
// everything when it is driven by a program; this one keeps its data in a folder, so that it can be ended and started
// again.

imports.gi.versions.Gtk = '3.0';
imports.gi.versions.WebKit2 = '4.1';
const { GLib, Gtk, WebKit2 } = imports.gi;

/** @type {unknown} */
const told = JSON.parse(ARGV[0] ?? '');
const { name, profile, downloads, isPrivate } = /** @type {HostOptions} */ (told);

/**
 * What it is told, as JSON. `name`: what the driver asks for it by.
 * @typedef {{ readonly name: string, readonly profile: string, readonly downloads: string, readonly isPrivate: boolean
 *   }} HostOptions
 */

/** What Safari offers, and WebKitGTK has behind a switch. */
const FEATURES = [
  'FileSystem',
  'AccessHandle',
  'FileSystemWritableStream',
  'StorageAPI',
  'StorageAPIEstimate',
];

Gtk.init(null);
const context = new WebKit2.WebContext({ website_data_manager: isPrivate ? privateData() : keptData() });
context.set_automation_allowed(true);
context.connect('automation-started', (_, /** @type {WebKitAutomationSession} */ session) => {
  const info = new WebKit2.ApplicationInfo();
  info.set_name(name);
  session.set_application_info(info);
  session.connect('create-web-view', openWindow);
});
context.connect('download-started', (_, /** @type {WebKitDownload} */ download) => {
  download.connect('decide-destination', (_, /** @type {string} */ suggested) => {
    download.set_destination(GLib.filename_to_uri(`${downloads}/${suggested}`, null));
    return true;
  });
});
Gtk.main();

/** As of a private window: in memory, until the browser ends. */
function privateData() {
  return WebKit2.WebsiteDataManager.new_ephemeral();
}

function keptData() {
  const data = new WebKit2.WebsiteDataManager({
    base_data_directory: `${profile}/data`,
    base_cache_directory: `${profile}/cache`,
  });
  // Cookies are kept only where there is a file for them.
  const storage = WebKit2.CookiePersistentStorage.SQLITE;
  data.get_cookie_manager().set_persistent_storage(`${profile}/cookies.sqlite`, storage);
  return data;
}

function openWindow() {
  const settings = new WebKit2.Settings();
  settings.set_enable_write_console_messages_to_stdout(true);
  const features = WebKit2.Settings.get_all_features();
  for (let index = 0; index < features.get_length(); index++) {
    const feature = features.get(index);
    if (FEATURES.includes(feature.get_identifier())) settings.set_feature_enabled(feature, true);
  }
  const view = new WebKit2.WebView({ web_context: context, settings, is_controlled_by_automation: true });
  const window = new Gtk.Window();
  window.set_default_size(1280, 800);
  window.add(view);
  window.show_all();
  view.grab_focus();
  view.connect('close', () => {
    Gtk.main_quit();
  });
  return view;
}
