// What tests/support/webkit-host.mjs uses of GNOME's libraries, as GJS hands them to a script.

interface GnomeObject {
  /** @param handler what it returns is the answer where the signal asks for one */
  connect(signal: string, handler: (sender: never, argument: never) => unknown): number;
}

interface WebKitCookieManager extends GnomeObject {
  set_persistent_storage(path: string, storage: number): void;
}

interface WebKitDataManager extends GnomeObject {
  get_cookie_manager(): WebKitCookieManager;
}

interface WebKitContext extends GnomeObject {
  set_automation_allowed(allowed: boolean): void;
}

interface WebKitFeature {
  get_identifier(): string;
}

interface WebKitSettings extends GnomeObject {
  set_enable_write_console_messages_to_stdout(enabled: boolean): void;
  set_feature_enabled(feature: WebKitFeature, enabled: boolean): void;
}

interface WebKitDownload extends GnomeObject {
  set_destination(uri: string): void;
}

interface WebKitApplicationInfo {
  set_name(name: string): void;
}

interface WebKitAutomationSession extends GnomeObject {
  set_application_info(info: WebKitApplicationInfo): void;
}

interface WebKitView extends GnomeObject {
  grab_focus(): void;
}

interface GtkWindow extends GnomeObject {
  add(child: GnomeObject): void;
  show_all(): void;
  set_default_size(width: number, height: number): void;
}

declare const ARGV: readonly string[];

declare const imports: {
  readonly gi: {
    readonly versions: { Gtk: string; WebKit2: string };
    readonly GLib: { filename_to_uri(path: string, host: null): string };
    readonly Gtk: {
      init(args: null): void;
      main(): void;
      main_quit(): void;
      readonly Window: new () => GtkWindow;
    };
    readonly WebKit2: {
      readonly CookiePersistentStorage: { readonly SQLITE: number };
      readonly WebsiteDataManager: {
        new (folders: { base_data_directory: string; base_cache_directory: string }): WebKitDataManager;
        new_ephemeral(): WebKitDataManager;
      };
      readonly WebContext: new (options: { website_data_manager: WebKitDataManager }) => WebKitContext;
      readonly Settings: {
        new (): WebKitSettings;
        get_all_features(): { get_length(): number; get(index: number): WebKitFeature };
      };
      readonly ApplicationInfo: new () => WebKitApplicationInfo;
      readonly WebView: new (options: {
        web_context: WebKitContext;
        settings: WebKitSettings;
        is_controlled_by_automation: boolean;
      }) => WebKitView;
    };
  };
};
