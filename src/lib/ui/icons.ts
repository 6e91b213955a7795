/** Paths drawn on 24 × 24, stroked; one idea per picture. */
export const ICON_PATHS = {
  upload: 'M12 16V4m-5 5 5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3',
  download: 'M12 4v12m-5-5 5 5 5-5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3',
  sealed: 'M12 3 5 6v5c0 4.5 3 8 7 10 4-2 7-5.500 7-10V6zM9.500 12h5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm5-2 4.500 4.500',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'm6 6 12 12M18 6 6 18',
  check: 'm5 12.500 4.500 4.500L19 7',
  alert: 'M12 4 2.800 20h18.400zM12 10v4.500m0 2.500v.01',
  file: 'M7 3h7l4 4v14H7zM14 3v4h4',
  image: 'M4 5h16v14H4zm0 11 5-5 4 4 2.500-2.500L20 17M15.500 9h.01',
  media: 'M4 5h16v14H4zm6 4v6l5-3z',
  text: 'M7 3h7l4 4v14H7zM14 3v4h4M10 12h5m-5 4h5',
  open: 'M14 4h6v6m0-6-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5',
  place: 'M4 7V5h6l2 2h8v12H4zm8 3.500v6M9 13.500l3 3 3-3',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.500 11v5m3-5v5',
  retry: 'M19 12a7 7 0 1 1-2-5l2.500 2.500M19.500 5v4.500H15',
  up: 'M12 19V5m-5 5 5-5 5 5',
  down: 'M12 5v14m-5-5 5 5 5-5',
  fold: 'm6 9.500 6 6 6-6',
  unfold: 'm6 14.500 6-6 6 6',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
  cloudless: 'M7 18h10a4 4 0 0 0 .500-8A6 6 0 0 0 8 7.500M4 4l16 16M6 10a4 4 0 0 0 1 8',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .700-1 1.700m0 3v.01',
  leave: 'M14 4H5v16h9M10 12h10m-4-4 4 4-4 4',
} as const;

/** Name of a picture that this app has. */
export type IconName = keyof typeof ICON_PATHS;
